"""schemathesis asks the running server whatever its schema allows, and much that it does not."""

import os
import re
import subprocess
import sys
from pathlib import Path

from nkqa.engine import Engine
from nkqa.server.app import create_app
from server_process import serving

# A question of invisible characters fits the schema, and is refused all the same.
CONFIG = """
[checks]
positive_data_acceptance.enabled = false
negative_data_rejection.expected-statuses = ["400", "404", "405", "413", "414", "415", "422"]
"""


def test_no_server_error_and_no_undocumented_answer(toy_engine: Engine, tmp_path: Path) -> None:
    before = toy_engine.settings
    toy_engine.settings = before.model_copy(update={"rate_limit": ""})
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    try:
        with serving(create_app(toy_engine)) as (host, port):
            run = subprocess.run(
                [
                    Path(sys.executable).with_name("schemathesis"),
                    "run",
                    f"http://{host}:{port}/openapi.json",
                    "--max-examples=5",
                    "--seed=1",
                    "--suppress-health-check=all",
                    "--no-color",
                ],
                cwd=tmp_path,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
    finally:
        toy_engine.settings = before

    assert run.returncode == 0, run.stdout[:9000] + run.stdout[-3000:] + run.stderr[-2000:]
    assert re.search(r"\b(\d{3,}) generated, \1 passed", run.stdout)
