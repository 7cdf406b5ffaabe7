"""Libraries that would report to their makers are kept from it, also below Python, where no test can look."""

import os
import subprocess
import sys


def test_onnx_runtime_is_told_before_it_is_imported() -> None:
    program = (
        "import os, sys; import nkqa; "
        "assert 'onnxruntime' not in sys.modules; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    )
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}

    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0
