"""Clients of the reward server: typed, with bounded retries, several servers, no invented score.

A connection failure, a timeout, HTTP 429 or 5xx is tried again after a pause, at the next server
where several are given, until the retries or the deadline are spent; then ServerUnreachable names
the servers. Any other 4xx is the caller's mistake and raised at once with the server's message. The
token comes from the environment (REREC_TOKEN), never from an argument that a log might show.

    endpoints.py     path, encoder, decoder and batch size of each endpoint
    servers.py       the servers of a client; the one that failed is the one that is left
    retry.py         how often and how long to try; which server an attempt asks
    blocking.py      Client[Request, Reply], RewardClient
    asynchronous.py  AsyncClient[Request, Reply] and its three kinds
"""

from reward_server.client.asynchronous import (
    AsyncClient,
    AsyncHeadClient,
    AsyncLookClient,
    AsyncRewardClient,
)
from reward_server.client.blocking import Client, RewardClient

__all__ = [
    "AsyncClient",
    "AsyncHeadClient",
    "AsyncLookClient",
    "AsyncRewardClient",
    "Client",
    "RewardClient",
]
