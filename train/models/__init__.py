"""Chat models in folders: what they are, what they lack for a recipe, what they need of memory.

folder.py    where a model lies, and its sizes
checks.py    what keeps a model from being taught or asked
template.py  chats as the text that it reads
memory.py    what training it takes
report.py    `rerec model check`
style.py     the prompts it was trained with
"""
