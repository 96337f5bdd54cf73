"""`just bench help`: seconds until `rerec --help` has answered, the best of five."""

import json
import subprocess
import time

from data_engine.runtime.children import rerec_command


def seconds() -> float:
    """One call."""
    start = time.perf_counter()
    subprocess.run(rerec_command("--help"), capture_output=True, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    figure = min(seconds() for _ in range(5))
    print(
        json.dumps(
            {
                "bench": "help",
                "figure": round(figure, 3),
                "unit": "s",
                "target": 0.5,
                "holds": figure < 0.5,
            }
        )
    )
