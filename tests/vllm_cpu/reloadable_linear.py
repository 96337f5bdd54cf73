"""A vLLM plugin: linear layers on CPU keep their weights, so that they can be loaded again."""


def register() -> None:
    """Switch off prepacked linear layers, in each process of vLLM before a model is made.

    On CPU vLLM 0.27.1 replaces the weight of a linear layer by a copy that is packed for oneDNN and
    drops the weight itself; reinforcement fine-tuning, which hands over new weights after each
    step, would find no parameter to load them into. Without oneDNN vLLM uses torch's own linear.
    """
    import vllm._custom_ops as ops

    ops._supports_onednn = False
