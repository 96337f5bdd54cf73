"""`rerec assistant`."""

from functools import partial

import typer

from agents.assistant.files import check_store
from data_engine.errors import DataError
from data_engine.http.counting import metrics_folder
from data_engine.http.options import (
    AtOnceOption,
    CertificateOption,
    HostOption,
    InsecureOption,
    KeyOption,
    PortOption,
    SecondsOption,
    TellOption,
    TokensOption,
    WhileStdinOption,
    WorkersOption,
    tls_files,
)
from data_engine.runtime.options import DEFAULT_STORE, StoreOption
from rerec import policy as policies
from rerec import reader as readers
from rerec.conversations import CheckpointsOption, check_url

assistant = typer.Typer(pretty_exceptions_enable=False)


@assistant.command()
def _assistant(
    store: StoreOption = DEFAULT_STORE,
    port: PortOption = 8701,
    host: HostOption = "127.0.0.1",
    workers: WorkersOption = 1,
    tokens: TokensOption = None,
    insecure: InsecureOption = False,
    tls_cert: CertificateOption = None,
    tls_key: KeyOption = None,
    at_once: AtOnceOption = 64,
    seconds: SecondsOption = 40.0,
    policy: policies.PolicyOption = None,
    policy_model: policies.NameOption = None,
    policy_style: policies.StyleOption = None,
    policy_engine: policies.EngineOption = "hf",
    policy_seconds: policies.SecondsOption = 20.0,
    policy_key_env: policies.KeyEnvOption = "OPENAI_API_KEY",
    understand: readers.UnderstandOption = None,
    understand_url: readers.UrlOption = readers.URL,
    understand_key_env: readers.KeyEnvOption = "OPENAI_API_KEY",
    checkpoints: CheckpointsOption = None,
    while_stdin: WhileStdinOption = False,
    tell: TellOption = None,
) -> None:
    """Serve the assistant on http://127.0.0.1:PORT until stopped (Ctrl-C): a web page, a JSON API
    and the OpenAI chat API, for any chat page. A hang-up signal loads the store again.

    Example: rerec assistant --store runs/movies.duckdb --port 8701
    """
    reasoning = policies.config(
        policy, policy_model, policy_style, policy_engine, policy_seconds, policy_key_env
    )
    reader = readers.config(understand, understand_url, understand_key_env)
    reading = reader.timeout if reader else 0.0
    _check_seconds(reading + (policy_seconds if reasoning else 0.0), seconds)
    check_url(checkpoints)
    check_store(store)
    with metrics_folder(workers):
        from agents.assistant.server.config import AssistantConfig
        from agents.assistant.server.serve import serve
        from data_engine.http.guard import LOOPBACK
        from data_engine.http.listening import ListenOptions, is_loopback

        alone = is_loopback(host) and tokens is None
        config = AssistantConfig(
            store=store,
            tokens=tokens,
            names=LOOPBACK if alone else None,
            at_once=at_once,
            seconds=seconds,
            policy_seconds=policy_seconds,
            reader=reader,
            checkpoints=checkpoints,
        )
        options = ListenOptions(
            host=host,
            port=port,
            workers=workers,
            insecure=insecure,
            tls=tls_files(tls_cert, tls_key),
            while_stdin=while_stdin,
            url_descriptor=tell,
        )
        serve(config, options, partial(reasoning.open, store) if reasoning else None)


def _check_seconds(models: float, answer: float) -> None:
    """Raises DataError where models may take all the seconds of an answer."""
    if models >= answer:
        raise DataError(
            f"models may take {models:g} s (--policy-seconds, and 10 s for --understand), which "
            f"leaves no time for the answer: --seconds is {answer:g}"
        )
