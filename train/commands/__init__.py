"""`rerec train …`, `rerec eval` and `rerec report`: one module per command.

train.py names the commands of the group; options.py has the options that several share. A command
reads its options, checks them and prints; the work is done by the packages it calls, which it
imports when it is called, because torch takes seconds to import.
"""
