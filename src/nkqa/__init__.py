"""Answers about the Nagorno-Karabakh conflict, cut from cited sources."""

import os

# ONNX Runtime 1.31 reports to its maker over the network unless this is set before it is imported; switching it
# off afterwards (disable_telemetry_events) comes too late.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
