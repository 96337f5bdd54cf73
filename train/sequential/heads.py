"""`rerec train rechead`: one RecHead on disk, tested with its users' own words, with nobody's and with somebody else's."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from data_engine.graphs.evidence import Evidence
from data_engine.names.sentences import sentence_encoder
from data_engine.ndcg import mean_ndcg
from data_engine.runtime.provenance import provenance, write_json
from reward_server.rechead.files import WEIGHTS, save_head
from reward_server.rechead.model import RecHead
from train.sequential.ranking import hits, ranks
from train.sequential.run import SequentialConfig, Tell, begin, test_queries
from train.sequential.training import Trained, fit, watched
from train.sequential.words import Words


def run_rechead(
    run: Path,
    evidence: Evidence,
    config: SequentialConfig,
    tell: Tell,
    frozen: Path | None = None,
    words: Words | None = None,
) -> dict[str, dict]:
    """Fit a head (or take that of the folder `frozen`) and test it, on `words` or else its own. run/head/ is what a server serves,
    run/rechead.json what is returned: the figures on validation, and those on test by whose words the head hears. Raises as `run_sequential`.
    """
    sequences, asked = test_queries(evidence, config.cut)
    sentence_encoder(config.words.encoder)  # is it there? Before anything is written
    facts = {
        "config": config.model_dump(mode="json"),
        "graph_digest": evidence.digest,
        "frozen": str(frozen or ""),
    }
    begin(run, facts)
    if (run / "rechead.json").is_file():
        return json.loads((run / "rechead.json").read_text())["found"]
    training, checkpoint = config.training, run / "checkpoint.pt"
    words = words or Words(run / "words", evidence, sequences, config.words, training, tell)
    torch.manual_seed(training.seed)
    model = RecHead(len(sequences.items), training.encoder, words.items)
    if frozen:
        model.load_state_dict(load_file(frozen / WEIGHTS))
        trained = Trained(model, training.encoder.length, words.said)
    else:
        trained = fit(
            model,
            sequences,
            training,
            lambda epoch, value: tell(f"NDCG@10 {value:.4f}", epoch, training.epochs),
            checkpoint,
            words.said,
        )
        save_head(
            run / "head",
            model,
            training.encoder,
            config.words.encoder,
            evidence.digest,
            provenance=provenance(**facts),
        )

    def judged(queries: list, said: object) -> dict[str, float]:
        places = ranks(Trained(model, trained.length, said), queries)
        return {
            f"H@{config.k}": round(hits(places, config.k), 4),
            f"NDCG@{config.k}": round(mean_ndcg(places, config.k), 4),
        }

    whose = {
        "their own": words.said,
        "nobody's": None,
        "somebody else's": words.said.shuffled(training.seed),
    }
    found = {
        "validation": judged(watched(sequences, training), words.said),
        "test": {name: judged(asked, said) for name, said in whose.items()},
    }
    write_json(
        run / "rechead.json",
        {
            "found": found,
            "queries": len(asked),
            "ordered": sequences.ordered,
            "provenance": provenance(**facts),
        },
    )
    checkpoint.unlink(missing_ok=True)
    return found
