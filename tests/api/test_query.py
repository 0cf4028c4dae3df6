"""Filters and options of every .query method, through all processes."""

import pytest

MANY_A = "a" * 60 + "b"
FOR_EVER = "(a+)+(a|a)*$"


def problem(client, method, *params):
    """The attribute and text of the only error."""
    error = client.error(method, *params)
    assert error.code == -32602
    (attribute, text, errno), = error.data["extra"]
    assert errno == 22
    return attribute, text


@pytest.fixture(name="job")
def fixture_job(root):
    """A finished job whose arguments hold MANY_A."""
    return root.job("core.bulk", "core.ping", [[MANY_A]])["id"]


def test_dotted_paths(root, job):
    assert root.call(
        "core.get_jobs",
        [["id", "=", job], ["progress.percent", "=", 100],
         ["arguments.1.*.0", "=", MANY_A], ["arguments.1.7", "=", None]],
        {"select": ["progress.percent", "id", ["method", "what"]]}) == [
            {"progress": {"percent": 100}, "id": job, "what": "core.bulk"}]


def test_times(root, job):
    filters = [["id", "=", job]]
    started, = root.call("core.get_jobs", filters)
    for operator, moment, found in (
            (">", "2020-01-01", 1), ("<", "2020-01-01T00:00:00Z", 0),
            ("<=", "9000-01-01T00:00:00+02:00", 1)):
        assert root.call(
            "core.get_jobs",
            filters + [["time_started.$date", operator, moment]],
            {"count": True}) == found
    assert root.call(
        "core.get_jobs",
        filters + [["time_started", "=", started["time_started"]]],
        {"count": True}) == 1


def test_get_that_finds_nothing(root):
    for method, *params in (
            ("core.get_jobs", [["id", "=", -1]], {"get": True}),
            ("audit.query", {"query-filters": [["audit_id", "=", ""]],
                             "query-options": {"get": True}})):
        error = root.error(method, *params)
        assert error.code == -32001
        assert error.data["error"] == 22
        assert error.data["reason"] == "MatchNotFound()"
        assert error.data["trace"]["class"] == "MatchNotFound"


def test_an_expression_that_takes_for_ever(root, job):
    filters = [["id", "=", job], ["arguments.1.0.0", "~", FOR_EVER]]
    attribute, text = problem(root, "core.get_jobs", filters)
    assert attribute == "filters" and "takes too long" in text
    assert root.call("core.ping") == "pong"


def test_an_expression_that_takes_for_ever_over_the_audit_log(root):
    assert not root.call("auth.login", MANY_A, "no password of anybody")
    attribute, text = problem(root, "audit.query", {
        "query-filters": [["OR", [
            ["username", "~", FOR_EVER],
            ["event_data.credentials.credentials_data.username", "~",
             FOR_EVER]]]],
        "query-options": {"count": True}})
    assert attribute == "audit_query.query-filters"
    assert "takes too long" in text
    assert root.call("core.ping") == "pong"


def test_comparing_what_has_no_order(root):
    for filters in ([["id", ">", "11"]], [["service", "<=", 5]],
                    [["OR", [["id", "=", 1], ["enable", "<", "x"]]]]):
        attribute, text = problem(root, "service.query", filters)
        assert attribute == "filters" and "only be compared with" in text
    assert root.call("service.query", [["id", "=", "11"]]) == []
    assert root.call("service.query", [["id", ">", 10.5]]) != []


def test_the_language_of_sql(root):
    options = {"force_sql_filters": True, "count": True}
    assert root.call("service.query", [["service", "~", "SH"]], options) == 1
    assert root.call("service.query", [["service", "~", "sh"]],
                     {"count": True}) == 0
    assert problem(root, "service.query", [["service", "C=", "SSH"]],
                   options) == (
        "filters", "Value error, Invalid operation: C=")


@pytest.mark.parametrize("filters", [
    [["id", "=", number] for number in range(1001)],
    [["service", "~", "s"]] * 21,
    [["service", "~", "s" * 1025]],
    [["service", "~", "(" * 40 + ")" * 40]],
    [["OR", [["OR", [["OR", [["OR", [["id", "=", 1]]]]]]]]]],
    [[".".join("abcdefghijklmnopq"), "=", 1]]])
def test_limits(root, filters):
    attribute, _ = problem(root, "service.query", filters)
    assert attribute == "filters"
    assert root.call("service.query", [], {"count": True}) == 1
