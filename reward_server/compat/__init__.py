"""The wire types of other trainers, as their clients send them and expect the answer.

Unlike our own (`reward_server.wire`) they take fields they do not know: a trainer sends whatever
its data set holds.

labelled   slime and OpenRLHF, which send a label per response and nothing else of a row
nemo_gym   NeMo-Gym, which sends the row
tools      the look-ups as tools that a model may call
"""
