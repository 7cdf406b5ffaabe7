"""How much time, memory and output one file may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """For the reading of one file: seconds of clock and processor, bytes of memory, output and file."""

    wall_s: float = 20.0
    cpu_s: int = 10
    memory: int = 1_500_000_000
    output: int = 5_000_000
    file: int = 20_000_000
