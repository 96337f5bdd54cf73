"""RecHead (RPORec): a head that ranks the catalogue by history, thought and answer.

model.py is the network, files.py a trained one on disk, head.py one that scores responses.
"""
