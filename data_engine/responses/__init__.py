"""What a policy's response says, as facts about its text and the item–attribute graph.

reading   the answer, the thoughts and the segments of a response
claim     `Claim`: one statement of a text, with the verdict on it
clues     what the words beside a name say: negation, relation, need
judging   verdicts on claims, from the graph and the conditions of the query
claims    `ClaimChecker`: finds the claims of a text and has them judged
"""
