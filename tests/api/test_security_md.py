"""Each claim of SECURITY.md names a test that is there."""

import re

from harness import REPOSITORY

NAMED = re.compile(r"`(tests/[\w/.]+)::(\w+)`")


def test_named_tests_exist():
    text = (REPOSITORY / "SECURITY.md").read_text()
    found = NAMED.findall(text)
    assert len(found) > 30
    missing = [f"{path}::{name}" for path, name in found
               if not re.search(
                   rf"^(def )?{name}\(", (REPOSITORY / path).read_text(),
                   re.MULTILINE)]
    assert not missing


def test_each_claim_names_one():
    text = (REPOSITORY / "SECURITY.md").read_text()
    claims = re.findall(r"^- (?:.|\n(?!\n|- ))+", text, re.MULTILINE)
    assert len(claims) > 20
    assert [claim for claim in claims if not NAMED.search(claim)] == []
