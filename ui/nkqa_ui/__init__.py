"""The chat page of nkqa, made with Gradio and mounted in the server's own process."""

import os

# Gradio asks api.gradio.app and huggingface.co when it is imported, unless this is set before.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# Its queue would make a table of all events after each of them, for a dashboard that is closed here.
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
