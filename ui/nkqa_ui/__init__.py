"""The chat page of nkqa, made with Gradio and mounted in the server's own process."""

import os

# Gradio asks api.gradio.app and huggingface.co when it is imported, unless this is set before.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
