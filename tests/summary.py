#!/usr/bin/python3
"""Adds up what ./dev test ran and prints the line that counts it.

summary.py RESULTS, a folder with unit.json (Meson's testlog.json), fuzz (a
line "NAME passed" or "NAME failed" each), and of pytest, vitest and browser a
report NAME.xml with NAME.status; what was not run has no file.  Exit code 0 when nothing failed.
"""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree

PASSED = re.compile(r"^\[  PASSED  \] (\d+) test", re.M)
FAILED = re.compile(r"^\[  FAILED  \] (\d+) test", re.M)
SKIPPED = re.compile(r"^\[  SKIPPED \] (\d+) test", re.M)


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def total(pattern, text):
    return sum(int(number) for number in pattern.findall(text))


def count_unit(count, file):
    """cmocka's own cases; a program that died or found none counts as one."""
    for line in file.read_text(encoding="utf-8").splitlines():
        program = json.loads(line)
        text = (program.get("stdout") or "") + (program.get("stderr") or "")
        good = program["result"] in ("OK", "EXPECTEDFAIL")
        passed, failed = total(PASSED, text), total(FAILED, text)
        skipped = total(SKIPPED, text)
        if good and passed + failed + skipped == 0:
            passed = 1
        if not good and failed == 0:
            failed = 1
        if failed:
            print(f"failed: {program['name']}")
        count.add(passed, failed, skipped)


def count_fuzz(count, file):
    for line in file.read_text(encoding="utf-8").splitlines():
        name, verdict = line.split()
        if verdict == "passed":
            count.add(1, 0)
        else:
            print(f"failed: {name}")
            count.add(0, 1)


def count_junit(count, results, name):
    """A run that was cut short, or found nothing, is a failure by itself."""
    status = int((results / f"{name}.status").read_text())
    report = results / f"{name}.xml"
    failed = 0
    if report.exists():
        for suite in xml.etree.ElementTree.parse(report).iter("testsuite"):
            tests = int(suite.get("tests"))
            skipped = int(suite.get("skipped"))
            failed = int(suite.get("failures")) + int(suite.get("errors"))
            count.add(max(tests - failed - skipped, 0), failed, skipped)
    if status != 0 and failed == 0:
        print(f"failed: {name} ended with status {status}")
        count.add(0, 1)


def main():
    results = pathlib.Path(sys.argv[1])
    count = Count()
    if (results / "unit.json").exists():
        count_unit(count, results / "unit.json")
    elif (results / "fuzz").exists():
        print("failed: the unit tests left no result")
        count.add(0, 1)
    if (results / "fuzz").exists():
        count_fuzz(count, results / "fuzz")
    for status in sorted(results.glob("*.status")):
        count_junit(count, results, status.stem)
    line = f"{count.passed} passed, {count.failed} failed"
    if count.skipped:
        line += f", {count.skipped} skipped"
    print(line)
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
