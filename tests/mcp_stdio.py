"""Run by test_server_mcp: the tools over stdio, on the toy index that the test built."""

import sys
from pathlib import Path

from fakes import HashEmbedder
from nkqa.engine import open_engine
from nkqa.server.mcp import serve_stdio
from nkqa.settings import load_settings

if __name__ == "__main__":
    settings = load_settings(corpus=Path(sys.argv[1]), index=Path(sys.argv[2]), max_tokens=60, reader="off")
    serve_stdio(open_engine(settings, encoder=HashEmbedder(), compare=False))
