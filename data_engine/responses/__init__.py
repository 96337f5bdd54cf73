"""What a policy's response says, as facts about its text and the item–attribute graph.

reading   the answer, the thoughts and the segments of a response
claim     `Claim`: one statement of a text, with the verdict on it
clues     what the words beside a name say: negation, relation, need
telling   chains in sentences
judging   verdicts on claims, from the graph and the conditions of the query
claims    `ClaimChecker`: finds the claims of a text and has them judged

Of lines that are sentences:
lexicon, tokens, pronouns   words of the grammar; a line as tokens; what "it" means
joined, forward, decisions  values before a verb, values after their item, what is kept or skipped
prose                       `ProseReader`: the statements of a sentence
sentence_claims             their claims
"""
