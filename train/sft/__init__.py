"""Supervised fine-tuning of the tiny policy; of chat models see `chat_model/`.

lessons.py     what is taught: prompts with right and flawed responses
vocabulary.py  the texts whose words the tokenizer must know
tokenizer.py   one token per name of the catalogue
tiny.py        the model, made from scratch, and its folder
encoding.py    lessons as token ids
names.py       names swapped among themselves, so that facts are read and not remembered
loss.py        cross entropy of the response tokens
muon.py        the optimiser of the matrices
trainer.py     steps, and a state that resumes exactly
run.py         a run directory
"""
