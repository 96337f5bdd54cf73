import io
import json
import sqlite3
from contextlib import closing
from unittest.mock import patch

import pytest
from rich.console import Console
from typer.testing import CliRunner

from agents.assistant.assistant import Assistant
from agents.assistant.chat import Chat
from agents.assistant.checkpoints import open_checkpoints
from data_engine.errors import DataError
from rerec.ask import ask, chat

pytestmark = pytest.mark.unit


@pytest.fixture
def talk(small_store, tmp_path):
    """say(line) → what the terminal shows for it."""
    with Assistant(small_store, checkpoints=tmp_path / "c.sqlite") as assistant:
        shown = io.StringIO()
        terminal = Chat(assistant, "t", console=Console(file=shown, width=200))

        def say(line):
            shown.seek(0)
            shown.truncate()
            terminal.take(line)
            return shown.getvalue()

        yield say


def test_conditions_are_shown_and_dropped(talk):
    assert "Conditions: 1 sci-fi (3) · 2 directed by Ridley Scott (2)" in talk(
        "a sci-fi film directed by Ridley Scott"
    )
    assert "Three sci-fi films:" in talk("/drop 2")
    assert "there is no condition 2: there are 1" in talk("/drop 2")


def test_a_name_in_several_relations_is_said_with_all(talk):
    said = talk("an Eastwood film")
    assert "starring or directed by Clint Eastwood" in said
    assert "Two films starring or directed by Clint Eastwood:" in said
    assert "stars Clint Eastwood." in talk("why the first one?")


def test_who_is_not_wanted_is_in_none_of_what_is_shown(talk):
    said = talk("a horror film or a comedy, but no Eastwood films")
    assert "not starring or directed by Clint Eastwood" in said
    assert (
        "1. " not in said.split("The closest")[0]
    )  # of both he is the star; of Help! it is unknown


def test_bytes_that_are_no_text_are_read_as_a_mark(talk):
    assert "I did not understand" in talk("a sci-fi film \udce9 com\udce9die")


def test_why_like_not_and_more(talk):
    talk("a sci-fi film directed by Michael Mann")
    why = talk("/why 1")
    assert "✓ sci-fi" in why and "✗ directed by Michael Mann — directed by Ridley Scott" in why
    talk("/new")
    assert "1. Alien (1979)" in talk("a sci-fi film")
    assert "1. Blade Runner (1982)" in talk("/not 1")
    assert "for someone who likes Blade Runner (1982)" in talk("/like 1")
    assert "I know no other film that fits." in talk("/more")


def test_a_question_is_answered_by_number(talk):
    assert "the composer or the actor?" in talk("I love John Williams")
    assert "1. Aliens (1986)" in talk("/choose 2")
    assert "there is no answer 1: 0 can be chosen" in talk("/choose 1")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/drop", "/drop needs a number"),
        ("/why 1", "there is no item 1: 0 are shown"),
        ("/what", "/drop N"),
        ("/help", "/choose N"),
    ],
)
def test_what_cannot_be_done_is_one_line(talk, line, said):
    assert said in talk(line)


def test_a_database_that_fails_is_one_line(talk, tmp_path):
    talk("a sci-fi film")
    with closing(sqlite3.connect(tmp_path / "c.sqlite")) as database:
        database.execute("DROP TABLE checkpoints")
    said = f"{tmp_path}/c.sqlite cannot be used: no such table: checkpoints\n"
    assert talk("from after 1980") == said


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "c.sqlite"
    path.write_text("not SQLite " * 999)
    with pytest.raises(DataError, match=r"c\.sqlite cannot be used: file is not a database"):
        open_checkpoints(path)


def test_ask_prints_sentences_or_json(small_store):
    words = ["a sci-fi film directed by Ridley Scott", "--store", str(small_store)]
    assert CliRunner().invoke(ask, words).stdout.startswith("Two sci-fi films directed by Ridley")
    answer = json.loads(CliRunner().invoke(ask, [*words, "--json", "--k", "1"]).stdout)
    assert [one["item"] for one in answer["recommendations"]] == ["alien"]
    assert answer["matching"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [(["a comedy", "--store", "missing.duckdb"], "no store at"), ([" "], "nothing was asked")],
)
def test_ask_refuses_at_once(words, said):
    error = CliRunner().invoke(ask, words).exception
    assert isinstance(error, DataError) and said in str(error)


def test_chat_keeps_the_conversation_beside_the_store(small_store):
    words = ["--store", str(small_store), "--thread", "test"]
    with patch("rich.console.Console.input", side_effect=["a horror film", "/quit"]):
        assert "1. The Thing (1982)" in CliRunner().invoke(chat, words).stdout
    with patch("rich.console.Console.input", side_effect=[EOFError]):
        assert "goes on" in (said := CliRunner().invoke(chat, words).stdout)
    assert "1. The Thing (1982)" in said
    assert (small_store.with_name("small.duckdb.assistant") / "conversations.sqlite").is_file()
