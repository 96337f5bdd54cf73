"""The tools that other agents call: what they answer, by hand over the small catalogue."""

from importlib.util import find_spec

import pytest

from agents.assistant.tools.arguments import MOST_SHOWN, TOOLS
from agents.assistant.tools.serve import make_tool_server
from agents.assistant.tools.tools import MOST_CHARACTERS, Tools
from data_engine.errors import DataError


@pytest.fixture(scope="module")
def tools(assistant):
    return Tools(assistant)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("lookup", {"item": "heat", "relation": "director"}, "Michael Mann"),
        ("lookup", {"item": "alien", "relation": "starring"}, "Sigourney Weaver"),
        (
            "lookup",
            {"item": "Help!", "relation": "director"},
            "The catalogue does not record director for Help! (1979).",
        ),
        (
            "holders",
            {"relation": "director", "value": "ridley scott"},
            "2 items have director ridley scott:\nAlien (1979)\nBlade Runner (1982)",
        ),
        (
            "holders",
            {"relation": "year", "value": "1995", "k": 1},
            "2 items have year 1995:\nHeat (1995)\n… and 1 more",
        ),
        (
            "resolve_title",
            {"title": "The Thing"},
            "The Thing (1982) (id thing)\nThe Thing (1995) (id thing2)",
        ),
        (
            "explain",
            {
                "item": "Heat",
                "request": "a comedy by Michael Mann from before 1990, starring Q. Xy",
            },
            "Heat (1995): directed by Michael Mann, starring Al Pacino, crime, from 1995.\n"
            "It meets 1 of 3 conditions:\n"
            "1. From before 1990: missed (from 1995)\n"
            "2. Comedy: missed (crime)\n"
            "3. Directed by Michael Mann: met\n"
            "I know nothing called “Q. Xy”.",
        ),
    ],
)
def test_a_call_is_answered_in_plain_text(tools, name, arguments, said):
    assert tools.answer(name, arguments) == (said, False)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("drop", {}, "no tool 'drop': choose from recommend, explain"),
        ("lookup", {"item": "Heat"}, "relation: Field required"),
        ("lookup", {"item": "Heat", "relation": "director", "x": 1}, "x: Extra inputs"),
        ("lookup", {"item": "Nope", "relation": "director"}, "'Nope' is no item here"),
        ("lookup", {"item": "Heat", "relation": "smell"}, "no relation 'smell': choose from comp"),
        (
            "explain",
            {"item": "The Thing", "request": "a comedy"},
            "'The Thing' may be Thing, The (1982) (id thing); Thing, The (1995) (id thing2): give",
        ),
        ("explain", {"item": "Heat", "request": "hello"}, "no condition was understood in 'hello'"),
        ("holders", {"relation": "director", "value": "Al Pacino"}, "'Al Pacino' is the director"),
        ("resolve_title", {"title": "Zulu"}, "'Zulu' is no item here"),
        ("recommend", {"request": "a comedy", "k": MOST_SHOWN + 1}, "k: Input should be less"),
        ("recommend", {"request": "x" * 4001}, "request: String should have at most 4000"),
    ],
)
def test_a_call_that_cannot_be_answered_is_told_why(tools, name, arguments, said):
    text, failed = tools.answer(name, arguments)
    assert failed and text.startswith(said)


def test_a_recommendation_is_what_the_assistant_says(tools, assistant):
    text, failed = tools.answer("recommend", {"request": "a film by Ridley Scott", "k": 1})
    assert not failed and text == assistant.answer("a film by Ridley Scott", k=1).text


def test_an_answer_is_cut_where_it_is_too_long(tools, monkeypatch):
    long = ["x" * MOST_CHARACTERS, "y"]
    monkeypatch.setattr(tools._reference, "values", lambda item, relation: long)
    text, _ = tools.answer("lookup", {"item": "Heat", "relation": "director"})
    assert len(text) <= MOST_CHARACTERS and text.endswith("x… (cut short)")


def test_the_tools_are_described_with_their_limits(tools):
    described = {tool.name: tool for tool in tools.describe()}
    assert described.keys() == TOOLS.keys()
    assert all("20,000 characters" in tool.description for tool in described.values())
    holders = described["holders"].schema["properties"]
    assert holders["relation"]["enum"] == ["composer", "director", "genre", "starring", "year"]
    assert holders["k"]["maximum"] == MOST_SHOWN


@pytest.mark.skipif(find_spec("mcp") is not None, reason="the SDK is installed")
def test_without_the_sdk_the_command_says_what_to_install(small_store):
    with pytest.raises(
        DataError, match=r"^rerec mcp needs the package mcp: pip install 'rerec\[mcp"
    ):
        make_tool_server(small_store)
