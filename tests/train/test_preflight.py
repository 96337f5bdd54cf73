"""What `--dry-run` says of the prompts before anything heavy starts."""

import pytest

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from train.rft.compose import RFTConfig, compose
from train.rft.preflight import preflight
from train.sft.tiny import TinyConfig, build_model, save
from train.sft.tokenizer import build_tokenizer
from train.sft.vocabulary import vocabulary_texts
from train.tasks import TASKS


@pytest.mark.parametrize("style", ["open-book", "chat"])
def test_the_longest_prompt_is_measured_with_all_its_messages(style, film_store, tmp_path):
    evidence = Evidence.load(film_store)
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples("rl")
    tokenizer, entities = build_tokenizer(evidence, vocabulary_texts(examples, evidence, style))
    save(tmp_path, build_model(tokenizer, TinyConfig(dims=16, layers=1)), tokenizer, entities)
    chats = [TASKS[style].lessons(one, evidence)[0].chat for one in examples]
    texts = tokenizer.apply_chat_template(chats, add_generation_prompt=True, tokenize=False)
    longest = max(len(tokenizer(text)["input_ids"]) for text in texts)
    for most, fits in ((longest, True), (longest - 1, False)):
        config = RFTConfig(
            recipe="tiny-grpo",
            run=tmp_path / "run",
            model=str(tmp_path),
            overrides=(f"rerec.style={style}", f"data.max_prompt_length={most}"),
        )
        checks = {check.name: check for check in preflight(compose(config, "d"), film_store)}
        assert checks["prompts"].passed is fits
        assert f"has {longest} tokens of {most}" in checks["prompts"].message
