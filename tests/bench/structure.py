"""`just bench structure`: measures of the source code; the figure is how many miss their target."""

import json

from tests.structure import measure

if __name__ == "__main__":
    found, tests = measure(), measure(("tests",))
    rows = [
        ("median file", found.median_file, 120),
        ("longest file", max(found.files.values()), 350),
        ("longest test file", max(tests.files.values()), 350),
        ("lines over 100 columns", len(found.long_lines) + len(tests.long_lines), 0),
        ("nested comprehensions per 1,000 lines", round(found.nested_per_1000, 2), 1),
        ("longest function", max(found.functions.values()), 40),
    ]
    for name, value, target in rows:
        print(f"{name:<40} {value:>8}   target ≤ {target}")
    missed = sum(value > target for _, value, target in rows)
    line = {"bench": "structure", "figure": missed, "unit": "measures", "target": 0}
    print(json.dumps(line | {"holds": missed == 0}))
