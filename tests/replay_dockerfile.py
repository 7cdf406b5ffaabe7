"""Run the steps of the Dockerfile without a container engine: `python tests/replay_dockerfile.py`.

`FROM` becomes a virtual environment of this Python, absolute folders become folders of a temporary one, and every
`ENV`, `COPY`, `RUN`, `HEALTHCHECK` and `CMD` is done as it stands. At the end the server is asked for its health
and stopped, as an engine would.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDERS = ("/app", "/var/lib/nkqa")
KEY = "a-key-for-the-replay"


def steps(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(m[1], " ".join(m[2].split())) for m in re.finditer(r"^([A-Z]+)\s+(.+)$", joined, re.MULTILINE)]


def copies(argument: str) -> tuple[list[str], str]:
    """Return the sources and the target of a COPY."""
    *sources, target = shlex.split(argument)
    return sources, target


def settings(argument: str) -> dict[str, str]:
    """Return the variables of an ENV."""
    return dict(part.split("=", 1) for part in shlex.split(argument))


def command(argument: str) -> list[str]:
    """Return the command of a CMD or HEALTHCHECK in its list form."""
    found: list[str] = json.loads(argument[argument.index("[") :])
    return found


class Replay:
    """A folder that stands for the container's file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root
        self.environment = {
            **{
                k: v for k, v in os.environ.items() if not k.startswith(("NKQA_", "PIP_EXTRA", "VIRTUAL_ENV"))
            },
            "PATH": f"{root / 'venv' / 'bin'}:{os.environ['PATH']}",
        }

    def moved(self, text: str) -> str:
        """Return `text` with the container's folders as folders of ours."""
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w.]){folder}(?![\w])", f"{self.root}{folder}", text)
        return text

    def do(self, name: str, argument: str) -> None:
        """Do one step; those that only an engine can do are left out."""
        print(f"{name} {argument}", flush=True)
        match name:
            case "FROM":
                subprocess.run([sys.executable, "-m", "venv", self.root / "venv"], check=True)
            case "ENV":
                self.environment |= {k: self.moved(v) for k, v in settings(argument).items()}
            case "WORKDIR":
                self.folder = Path(self.moved(argument))
                self.folder.mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(*copies(argument))
            case "RUN":
                line = self.moved(argument)
                subprocess.run(["sh", "-euc", line], cwd=self.folder, env=self.environment, check=True)
            case "ARG" | "USER" | "EXPOSE" | "VOLUME" | "HEALTHCHECK" | "CMD":
                pass
            case _:
                raise SystemExit(f"{name}: not known here")

    def _copy(self, sources: list[str], target: str) -> None:
        for source in sources:
            here, there = CHECKOUT / source, self.folder / target
            if here.is_dir():
                shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                there.mkdir(parents=True, exist_ok=True)
                shutil.copy(here, there)

    def serve(self, serving: list[str], health: list[str]) -> None:
        """Start the server, ask for its health until it is well, and stop it as an engine does."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        environment = {**self.environment, "NKQA_PORT": port, "NKQA_API_KEYS": KEY}
        probe = [part.replace(":8000", f":{port}") for part in health]
        server = subprocess.Popen(serving, cwd=self.folder, env=environment)
        try:
            deadline = time.monotonic() + 60
            while subprocess.run(probe, env=environment, stderr=subprocess.DEVNULL, check=False).returncode:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise SystemExit("the server is not well")
            server.send_signal(signal.SIGTERM)
            code = server.wait(15)
        finally:
            server.kill()
        if code not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
            raise SystemExit(f"the server ended with {code}")
        print("the server was well, and stopped when told")


def main() -> None:
    """Replay the Dockerfile beside this checkout's root."""
    todo = steps((CHECKOUT / "Dockerfile").read_text())
    last = dict(todo)
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(Path(folder))
        for name, argument in todo:
            replay.do(name, argument)
        replay.serve(command(last["CMD"]), command(last["HEALTHCHECK"]))


if __name__ == "__main__":
    main()
