"""Run in NeMo-Gym's environment: its client and its records against the server, and its means.

Arguments: the code of the how-to page, a JSONL file, the server's URL. Prints JSON.
"""

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from nemo_gym.base_resources_server import BaseVerifyRequest, BaseVerifyResponse
from nemo_gym.config_types import AggregateMetrics, BaseServerConfig
from nemo_gym.openai_utils import NeMoGymResponse
from nemo_gym.reward_profile import compute_aggregate_metrics
from nemo_gym.server_utils import ServerClient
from omegaconf import OmegaConf

code, jsonl, url = sys.argv[1:]
del sys.argv[1:]  # which NeMo-Gym would read as its own options
page: dict = {}
exec(Path(code).read_text(), page)
place = urlsplit(url)
entry = {"host": place.hostname, "port": place.port, "entrypoint": "app.py"}
client = ServerClient(
    head_server_config=BaseServerConfig(host=place.hostname, port=1),
    global_config_dict=OmegaConf.create({"rerec": {"resources_servers": {"rerec": entry}}}),
)


def respond(params, pick=0):
    """A response as NeMo-Gym's own record writes it: the candidate at a place."""
    lines = params["input"][-1]["content"].split("Candidates:\n")[1].split("\n")
    content = {
        "type": "output_text",
        "text": f"<answer>{lines[pick].split(' — ')[0]}</answer>",
        "annotations": [],
    }
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }
    response = NeMoGymResponse(
        id="r",
        created_at=0,
        model="toy",
        object="response",
        output=[message],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
    )
    return response.model_dump(mode="json")


async def post(path, body):
    answer = await client.post(server_name="rerec", url_path=path, json=body)
    return answer.status, json.loads(await answer.read())


async def main():
    rows = [json.loads(line) for line in Path(jsonl).read_text().splitlines()[:4]]
    verified = []
    for task, row in enumerate(rows):
        assert (await post("/seed_session", row))[0] == 200
        for rollout in range(2):
            response = respond(row["responses_create_params"], rollout)
            sent = row | {"_ng_task_index": task, "_ng_rollout_index": rollout}
            BaseVerifyRequest.model_validate(sent | {"response": response})
            status, found = await post("/verify", sent | {"response": response})
            assert status == 200, found
            BaseVerifyResponse.model_validate(found)
            verified.append(found)
    status, metrics = await post("/aggregate_metrics", {"verify_responses": verified})
    AggregateMetrics.model_validate(metrics)
    tool = {"item": verified[0]["response"]["output"][0]["content"][0]["text"][8:-9]}
    _, looked = await post("/lookup", tool | {"relation": "genre"})
    stale, _ = await post("/seed_session", rows[0] | {"graph_digest": "another"})
    theirs = compute_aggregate_metrics(verified)
    by_page = [page["rollout"](json.dumps(row), respond)["reward"] for row in rows]
    print(
        json.dumps(
            {
                "verified": verified,
                "metrics": metrics,
                "theirs": theirs.model_dump(),
                "looked": looked,
                "stale": stale,
                "by_page": by_page,
                "page_mean": page["metrics"](verified)["mean/reward"],
            }
        )
    )


asyncio.run(main())
