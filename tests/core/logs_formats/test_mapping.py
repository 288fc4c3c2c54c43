from __future__ import annotations

import json

import pytest

from replaystack.logs.formats import (
    FORMAT_CONTENT_TYPES,
    FORMATS,
    Defaults,
    Entry,
    FormatError,
    FormatName,
    content_type_format,
    format_name,
    parse,
    parse_ms,
    read_entries,
    sniff,
)

NOW = 1_795_255_200_000  # 2026-11-21T10:00:00Z
FULL = Defaults(source="def", environment="production", level="warn", dataset="d")
PLACE = Defaults(source="def", environment="production")


def one(text: str, name: FormatName, defaults: Defaults = PLACE) -> Entry:
    """Read a body that holds one entry."""
    (entry,) = read_entries(text, name, defaults, NOW)
    return entry


def at(text: str) -> int:
    """Return a moment that is known to be one."""
    moment = parse_ms(text)
    assert moment is not None
    return moment


# -- names


@pytest.mark.checklist("T13")
def test_each_format_has_the_content_type_of_the_seed() -> None:
    """The table is the vendor's, and an unknown name is a ValueError that lists the known ones."""
    assert FORMAT_CONTENT_TYPES == {
        "json": "application/json",
        "jsonl": "application/x-ndjson",
        "syslog": "application/x-syslog",
        "text": "text/plain",
        "csv": "text/csv",
        "obl": "application/x-obl",
    }
    for name in FORMATS:
        assert format_name(name) == name
        assert content_type_format(f"{FORMAT_CONTENT_TYPES[name].upper()}; charset=utf-8") == name
    assert content_type_format("application/x-www-form-urlencoded") is None
    for bad in ("xml", "", "JSON", None, 3):
        with pytest.raises(ValueError, match="json, jsonl, syslog, text, csv, obl"):
            format_name(bad)


# -- syslog


@pytest.mark.checklist("T14")
@pytest.mark.parametrize(
    ("pri", "level"),
    [(165, "info"), (34, "error"), (12, "warn"), (15, "debug"), (0, "error"), (191, "debug")],
)
def test_severity_is_the_priority_modulo_8(pri: int, level: str) -> None:
    """The severity gives the level, and the line's own level beats the query's."""
    assert one(f"<{pri}>Jan 15 10:30:00 myhost api[1]: m", "syslog", FULL)["level"] == level


def test_the_two_samples_of_the_vendor() -> None:
    """APP-NAME or TAG is the source, HOSTNAME and PROCID go to data, MSG is the message."""
    new = one("<165>1 2024-01-15T10:30:00.000Z myhost api 1234 - - Connection refused", "syslog")
    old = one("<34>Jan 15 10:30:00 myhost api[1234]: Connection refused", "syslog")
    for entry in (new, old):
        assert (entry["source"], entry["message"]) == ("api", "Connection refused")
        assert (entry["data"]["hostname"], entry["data"]["processId"]) == ("myhost", "1234")
    assert new["timestamp"] == at("2024-01-15T10:30:00Z")
    assert old["timestamp"] == at("2026-01-15T10:30:00Z")


def test_decision_names_inside_syslog_data() -> None:
    """[?] MSGID, structured data, facility and severity have names; a nil `-` is absent; a BOM is dropped."""
    entry = one('<165>1 - - app - ID47 [ex@1 a="1" b="q\\"\\]"][o@2] \ufeffmsg', "syslog")
    assert entry["message"] == "msg"
    assert "timestamp" not in entry
    assert entry["data"] == {
        "facility": 20,
        "severity": 5,
        "messageId": "ID47",
        "structuredData": {"ex@1": {"a": "1", "b": 'q"]'}, "o@2": {}},
    }


def test_decision_broken_structured_data_is_message() -> None:
    """[?] What is no structured data is not lost: it is the message."""
    assert one("<165>1 - - app - - [broken m", "syslog")["message"] == "[broken m"


@pytest.mark.parametrize(
    ("now", "line", "expected"),
    [
        ("2026-01-01T00:00:10Z", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"),
        ("2026-12-31T20:00:00Z", "Jan  1 03:00:00", "2027-01-01T03:00:00Z"),
        ("2026-11-21T10:00:00Z", "Nov 21 11:00:00", "2026-11-21T11:00:00Z"),
        ("2026-11-21T10:00:00Z", "Nov 23 11:00:00", "2025-11-23T11:00:00Z"),
        ("2026-11-21T10:00:00Z", "Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
    ],
)
def test_decision_year_and_zone_of_rfc_3164(now: str, line: str, expected: str) -> None:
    """[?] UTC, and the latest year that puts the line at most a day ahead of its receipt."""
    (entry,) = parse(f"<13>{line} host app: m", "syslog", at(now))
    assert entry["timestamp"] == at(expected)


def test_decision_a_line_without_priority() -> None:
    """[?] It is kept: with a header as far as that goes, else whole; level and source come from the query."""
    lines = "2024-01-15T10:30:00.123+01:00 web tag[7]: from a file\nnothing: of the kind\n<999>no priority"
    first, second, third = read_entries(lines, "syslog", FULL, NOW)
    assert (first["source"], first["message"], first["level"]) == ("tag", "from a file", "warn")
    assert first["timestamp"] == at("2024-01-15T09:30:00.123Z")
    assert (second["message"], second["source"]) == ("nothing: of the kind", "def")
    assert third["message"] == "<999>no priority"
    assert one("x", "syslog", Defaults(environment="e"))["source"] == "syslog"


def test_decision_the_tag_beats_the_source_of_the_query() -> None:
    """[?] Defaults fill gaps only; without a host name, as `logger -s` writes, the tag is found too."""
    assert one("<13>Nov 21 09:50:00 root: hi", "syslog", FULL)["source"] == "root"
    assert one("<13>hi there", "syslog", FULL)["source"] == "def"


def test_decision_an_empty_syslog_message() -> None:
    """[?] Something sent it: it is kept as `(empty)`."""
    assert one("<13>1 - - app - - -", "syslog")["message"] == "(empty)"


# -- text


@pytest.mark.parametrize(
    ("line", "moment", "level", "message"),
    [
        ("2024-01-15T10:30:00Z ERROR boom", "2024-01-15T10:30:00Z", "error", "boom"),
        ("2024-01-15 10:30:00 warning low", "2024-01-15T10:30:00Z", "warn", "low"),
        ("01/15/2024 10:30:00 [Debug] x", "2024-01-15T10:30:00Z", "debug", "x"),
        ("[2024-01-15T10:30:00+02:00] INFO : x", "2024-01-15T08:30:00Z", "info", "x"),
        ("2024-01-15 10:30:00,123 - shop - WARNING - x", "2024-01-15T10:30:00.123Z", "warn", None),
        ("2024-01-15T10:30:00Z [ERROR] api: refused", "2024-01-15T10:30:00Z", "error", "api: refused"),
        ("ERROR: x", None, "error", "x"),
        ("Error connecting to db", None, "error", "Error connecting to db"),
        ("information desk", None, "info", "information desk"),
        ("nothing known", None, "info", "nothing known"),
        ("99/99/2024 10:30:00 x", None, "info", "99/99/2024 10:30:00 x"),
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z", "info", "2024-01-15T10:30:00Z"),
    ],
)
def test_decision_what_is_taken_off_a_text_line(
    line: str, moment: str | None, level: str, message: str | None
) -> None:
    """[?] A time and a level at the beginning are taken off, UTC without a zone, info without a level."""
    entry = one(line, "text")
    assert entry.get("timestamp") == (None if moment is None else at(moment))
    assert entry["level"] == level
    assert entry["message"] == (message or "shop - WARNING - x")


def test_decision_the_level_of_the_query_fills_a_gap_in_text() -> None:
    """[?] A line that says nothing has the query's level; one that does keeps its own."""
    first, second = read_entries("plain\nERROR: x", "text", FULL, NOW)
    assert (first["level"], second["level"]) == ("warn", "error")


# -- csv


@pytest.mark.checklist("T14")
def test_a_tab_in_the_header_makes_it_tab_separated() -> None:
    """Commas are the rule; a header with more tabs than commas tells otherwise."""
    entry = one("level\tmessage\tsource\ninfo\ta, b\tapi\n", "csv")
    assert (entry["message"], entry["source"]) == ("a, b", "api")


def test_the_sample_of_the_vendor_and_quoted_cells() -> None:
    """Quoted cells may hold the delimiter, doubled quotes and line ends; a timestamp is milliseconds."""
    text = 'level,message,source,timestamp\r\ninfo,"a ""b"", c\nd",api,1705314600000\r\n'
    entry = one(text, "csv")
    assert (entry["message"], entry["timestamp"]) == ('a "b", c\nd', 1705314600000)


def test_decision_cells_of_csv() -> None:
    """[?] Unknown columns go to data, tags split at `;`, data is JSON or a value, an empty cell is absent."""
    text = 'level,message,tags,data,stepIndex,userId,region\nerror,m,a; b;,"{""k"": 1}",3,,eu\n'
    entry = one(text, "csv", FULL)
    assert entry["tags"] == ["a", "b"]
    assert entry["data"] == {"region": "eu", "k": 1}
    assert entry["stepIndex"] == 3
    assert "userId" not in entry
    assert one("level,message,data\ninfo,m,not json", "csv")["data"] == {"value": "not json"}


def test_decision_ragged_rows() -> None:
    """[?] Missing cells at the end are absent; one too many refuses the body, naming the line."""
    assert one("level,message,userId\ninfo,m", "csv")["message"] == "m"
    with pytest.raises(FormatError) as refused:
        read_entries("level,message\ninfo,m\ninfo,a,b\n", "csv", PLACE, NOW)
    assert refused.value.document() == {
        "error": "Failed to parse line 3: invalid CSV",
        "code": "PARSE_ERROR",
        "issues": [{"path": ["line", 3], "message": "expected at most 2 cells, got 3"}],
    }


# -- json and jsonl


@pytest.mark.parametrize("wrap", ['{{"logs": [{}]}}', "[{}]", "{}"])
def test_three_shapes_of_json(wrap: str) -> None:
    """`{"logs": [...]}`, a bare array and a single object are the same."""
    assert one(wrap.format('{"level": "info", "message": "m"}'), "json")["message"] == "m"


def test_defaults_fill_gaps_and_replace_nothing() -> None:
    """An entry's own field wins, null counts as a gap, and a default may satisfy what is required."""
    own = {"level": "error", "message": "m", "source": "mine", "environment": None}
    entry = one(json.dumps(own), "json", FULL)
    assert (entry["level"], entry["source"]) == ("error", "mine")
    assert (entry["environment"], entry["dataset"]) == ("production", "d")


def test_decision_unknown_keys_go_below_data() -> None:
    """[?] Nothing is lost silently: an unknown key is kept in data, which wins where both have it."""
    text = '{"level": "info", "message": "m", "host": "h", "k": 1, "data": {"k": 2}}'
    assert one(text, "jsonl")["data"] == {"host": "h", "k": 2}
    assert one('{"level": "info", "message": "m", "data": [1]}', "json")["data"] == {"value": [1]}


@pytest.mark.parametrize("key", ["isPii", "is_pii", "pii", "PII", "ispii"])
def test_decision_a_misspelt_pii_flag_counts(key: str) -> None:
    """[?] Whoever misspells the flag means it; the misspelling itself is not kept."""
    entry = one(json.dumps({"level": "info", "message": "m", key: True}), "json")
    assert entry["isPii"] is True
    assert "data" not in entry
    assert one(f"level,message,{key}\ninfo,m,true", "csv")["isPii"] is True
    assert one(f"level,message,{key}\ninfo,m,false", "csv")["isPii"] is False


@pytest.mark.parametrize(
    ("given", "level"), [("WARNING", "warn"), ("critical", "error"), ("Fatal", "error"), ("notice", "info")]
)
def test_decision_every_spelling_of_a_level(given: str, level: str) -> None:
    """[?] Our receiver takes what loggers write, in any case, and keeps the wire's four."""
    assert one(json.dumps({"level": given, "message": "m"}), "json")["level"] == level


def test_decision_timestamps_of_json() -> None:
    """[?] A number is milliseconds, a text ISO 8601; anything else is an issue."""
    for value, expected in (
        (1705314600000, 1705314600000),
        (1.5, 1),
        ("2024-01-15T10:30:00Z", 1705314600000),
    ):
        text = json.dumps({"level": "info", "message": "m", "timestamp": value})
        assert one(text, "json")["timestamp"] == expected
    bad: tuple[object, ...] = (-1, 1e300, "yesterday", True, [1])
    for wrong in bad:
        text = json.dumps({"level": "info", "message": "m", "timestamp": wrong})
        with pytest.raises(FormatError, match="Validation error"):
            one(text, "json")


def test_limits_are_issues_with_paths() -> None:
    """Each limit of the vendor's table is checked in characters, and every breach is named."""
    good = {"level": "info", "message": "é" * 10_000, "source": "s", "environment": "e"}
    bad = {
        "level": "loud", "message": "", "source": "s" * 101, "tags": ["t" * 51, 3], "stepIndex": 1001,
        "userId": 7, "version": "v" * 51, "errorName": "e" * 201, "id": "x",
    }  # fmt: skip
    with pytest.raises(FormatError) as refused:
        read_entries(json.dumps([good, bad]), "json", Defaults(), NOW)
    paths = {".".join(map(str, issue.path)) for issue in refused.value.issues}
    assert paths == {
        "logs.1.level", "logs.1.message", "logs.1.source", "logs.1.tags.0", "logs.1.tags.1",
        "logs.1.stepIndex",
        "logs.1.userId", "logs.1.version", "logs.1.errorName", "logs.1.id", "logs.1.environment",
    }  # fmt: skip
    assert refused.value.document()["error"] == "Validation error"


def test_at_most_100_logs_and_at_least_one() -> None:
    """Both bounds hold for every format."""
    assert len(read_entries("x\n" * 100, "text", PLACE, NOW)) == 100
    for text, message in (("x\n" * 101, "at most 100"), ("\n \n", "at least one")):
        with pytest.raises(FormatError) as refused:
            read_entries(text, "text", PLACE, NOW)
        assert message in refused.value.issues[0].message


# -- obl

OBL = """/* notice: personal data */
{"format": "open-board-log-0.1", "user_id": "u1", "source": "boards", "sessions": [
 {"id": "s1", "type": "log", "started": "2024-01-01T00:00:00Z", "device_id": "tablet", "events": [
  {"id": "1", "type": "button", "label": "go", "spoken": true, "button_id": "b", "board_id": "c",
   "timestamp": "2024-01-01T00:00:01Z"},
  {"id": "2", "type": "utterance", "text": "go home", "buttons": [{"label": "go"}]},
  {"id": "3", "type": "action", "action": ":home", "destination_board_id": "d"},
  {"id": "4", "type": "note", "text": "tired", "author_name": "A"},
  {"id": "5", "type": "eye_gaze", "x": 3}, {"id": "6"}]},
 {"id": "s2", "type": "log", "events": []}]}
"""


@pytest.mark.checklist("T14")
def test_obl_comment_is_stripped_and_each_event_is_an_entry() -> None:
    """The documented messages and data keys; a comment may stand before the document."""
    entries = read_entries(OBL, "obl", PLACE, NOW)
    assert [entry["message"] for entry in entries] == [
        "Button: go", "Utterance: go home", "Action: :home", "Note: tired", "Event: eye_gaze", "Event",
    ]  # fmt: skip
    button = entries[0]
    assert {button["data"][key] for key in ("button_id", "board_id")} == {"b", "c"}
    assert button["data"]["spoken"] is True
    assert entries[1]["data"]["buttons"] == [{"label": "go"}]
    assert entries[2]["data"]["destination_board_id"] == "d"
    assert entries[3]["data"]["author_name"] == "A"
    assert (button["userId"], button["sessionId"], button["source"]) == ("u1", "tablet", "boards")


def test_decision_level_time_and_unknown_events_of_obl() -> None:
    """[?] Level of the query, else info; the event's time, else its session's; unknown types are kept."""
    entries = read_entries(OBL, "obl", PLACE, NOW)
    assert {entry["level"] for entry in entries} == {"info"}
    assert entries[0]["timestamp"] == at("2024-01-01T00:00:01Z")
    assert entries[1]["timestamp"] == at("2024-01-01T00:00:00Z")
    assert entries[4]["data"]["x"] == 3
    assert entries[0]["data"]["session"] == {"id": "s1", "type": "log", "started": "2024-01-01T00:00:00Z"}
    assert {entry["level"] for entry in read_entries(OBL, "obl", FULL, NOW)} == {"warn"}


def test_decision_every_entry_of_obl_is_personal() -> None:
    """[?] What a person said with a board is PII, also where the file says that it is anonymised."""
    for text in (OBL, OBL.replace('"user_id"', '"anonymized": true, "user_id"')):
        assert all(entry["isPii"] for entry in read_entries(text, "obl", PLACE, NOW))


# -- sniffing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OBL, "obl"),
        ('{"format": "open-board-log-0.1"}', "obl"),
        ('{"logs": []}', "json"),
        ('\ufeff \n[{"level": "info"}]', "json"),
        ('{"level": "info"}', "json"),
        ('{"a": 1}\n{"a": 2}\n', "jsonl"),
        ('{"a": 1}\nbroken', "jsonl"),
        ('{\n "level": broken', "json"),
        ("{curly} words", "text"),
        ("[2024-01-15] words", "text"),
        ("<34>Jan 15 10:30:00 h a: m", "syslog"),
        ("<b>bold</b>", "text"),
        ("level,message\ninfo,m", "csv"),
        ("level\tmessage\ninfo\tm", "csv"),
        ("level,headed", "text"),
        ("", "text"),
    ],
)
def test_decision_the_order_of_sniffing(text: str, expected: str) -> None:
    """[?] OBL, JSON, JSONL, syslog, CSV, text: the first that fits."""
    assert sniff(text) == expected
