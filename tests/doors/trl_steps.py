"""Run in TRL's environment: real steps of GRPOTrainer with a toy model, scored over HTTP.

Arguments: the code of the how-to page, a parquet file, a folder to work in. Prints JSON.
"""

import json
import sys
from pathlib import Path

import httpx
import trl
from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from trl import GRPOConfig, GRPOTrainer

code, parquet, folder = sys.argv[1:]
page: dict = {}
exec(Path(code).read_text(), page)
rows = load_dataset("parquet", data_files=parquet, cache_dir=f"{folder}/cache", split="train")


def toy_tokenizer():
    """A byte-level tokenizer with Qwen3's template, which TRL knows to read tool calls from."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = [message["content"] for row in rows for message in row["prompt"]]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    template = Path(trl.__file__).parent / "chat_templates/qwen3.jinja"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=template.read_text(),
    )


def toy_model(tokenizer):
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Qwen3ForCausalLM(config)


def steps(**rewards):
    """The log of two steps."""
    tokenizer = toy_tokenizer()
    config = GRPOConfig(
        output_dir=f"{folder}/out",
        max_steps=2,
        per_device_train_batch_size=4,
        num_generations=2,
        max_completion_length=8,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=toy_model(tokenizer),
        args=config,
        train_dataset=rewards.pop("rows", rows),
        processing_class=tokenizer,
        **rewards,
    )
    trainer.train()
    return [entry for entry in trainer.state.log_history if "reward" in entry]


returned, kinds = [], set()


def reward(completions, **columns):
    """The page's function; what it gives is kept. The gold part of a group is put in its place."""
    kinds.update(type(completion).__name__ for completion in completions)
    completions = [
        [{"role": "assistant", "content": f"<answer>{titles[e]}</answer>"}] if k % 2 else c
        for k, (c, e) in enumerate(zip(completions, columns["example_id"], strict=True))
    ]
    found = page["dual_graph_reward"](completions, **columns)
    returned.append(found)
    return found


def gold_titles():
    """Example id → the title of its gold, which this server shows."""
    found = {}
    for example_id in rows["example_id"]:
        example = page["server"].get(f"/v1/examples/{example_id}").raise_for_status().json()
        found[example_id] = next(i["title"] for i in example["items"] if i["role"] == "gold")
    return found


titles = gold_titles()
by_function = steps(reward_funcs=reward)
by_environment = steps(environment_factory=page["LookUps"])
stale = rows.map(lambda row: {"graph_digest": "another"})
try:
    steps(reward_funcs=page["dual_graph_reward"], rows=stale)
    refused = "trained"
except httpx.HTTPStatusError as error:
    refused = str(error.response.status_code)

row = rows[0]
environment = page["LookUps"]()
environment.reset(**row)
first = titles[row["example_id"]]
looked = environment.lookup(first, "genre")
held = environment.holders("genre", looked.split("\n")[0])
environment.recommend(first)
print(
    json.dumps(
        {
            "kinds": sorted(kinds),
            "returned": returned,
            "logged": [entry["reward"] for entry in by_function],
            "environment": [entry["reward"] for entry in by_environment],
            "refused": refused,
            "gold": first,
            "held": held.split("\n"),
            "reward": environment.get_reward(),
            "example_id": row["example_id"],
        }
    )
)
