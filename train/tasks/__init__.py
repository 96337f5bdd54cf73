"""How an Example becomes a prompt and how its response is read: single turns and dialogues."""
