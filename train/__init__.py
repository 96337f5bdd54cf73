"""Learning: supervised, then reinforcement fine-tuning of a policy, judged on held-out queries.

In: Examples and Evidence (data_engine), scores over HTTP (reward_server.client). Out: a model
folder, metrics, evaluations and reports. `verl_plugin/` alone imports verl.

    tasks/         how an Example becomes a prompt, and how its answer is played and read
    algorithms/    from scores to the advantage of each token, one module per algorithm
    models/        chat models in folders: their shape, checks, memory
    sft/           supervised fine-tuning of the tiny policy, and of any chat model
    rft/           reinforcement runs: recipes, composing, running, resuming, exporting
    evaluation/    policies, endpoints and baselines on held-out queries; methods compared
    sequential/    next-item recommendation, RecHead and RPORec
    reports/       self-contained HTML pages
    verl_plugin/   what verl loads: agent loops, estimators, trainer, CPU rollout
    commands/      the command line
"""
