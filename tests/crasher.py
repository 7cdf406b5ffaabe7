"""Builds the toy index again and again in children that die at a given moment; for test_faults.

Usage: python crasher.py CORPUS INDEX. Each line read, `after MILLISECONDS` or `at EVENT`, is one build; the
line written back is `killed`, `built` or `failed`.
"""

import os
import signal
import sys
from pathlib import Path

from fakes import HashEmbedder
from nkqa import build, index
from nkqa.settings import Settings, load_settings


def run(settings: Settings, how: str, when: int) -> None:
    """Build once in this process, which may not live to see the end."""
    if how == "after":
        # The kernel ends the process on the spot, inside Chroma's own code too.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, when / 1000)
    else:
        left = [when]

        def count(event: str, _: object) -> None:
            if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
    build.build_index(settings, embedder=HashEmbedder())


def main() -> None:
    settings = load_settings(corpus=Path(sys.argv[1]), index=Path(sys.argv[2]), max_tokens=60)
    vars(build)["probe_in_child"] = index.probe  # a child for the check would outlive its parent
    for line in sys.stdin:
        how, when = line.split()
        child = os.fork()
        if child == 0:
            try:
                run(settings, how, int(when))
            except BaseException:  # noqa: BLE001 - whatever it was, the parent must hear of it and go on
                os._exit(1)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print("killed" if status < 0 else "failed" if status else "built", flush=True)


if __name__ == "__main__":
    main()
