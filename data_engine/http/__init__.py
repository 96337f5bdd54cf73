"""What the servers of rerec have in common: how they listen, their processes, limits and tokens.

listening        where a server may listen, and how it is run
options          the options of a command that serves
served           the application that is run
supervisor       several worker processes over one application; worker: one of them
uvicorn_server   a server that says when it serves
body, deadline   bodies within limits of size and time; reception: both, and places
guard            all limits before an application that has none
tokens           bearer tokens
metrics          Prometheus metrics of requests; counting: where several processes count
access           the log of requests
hangup           a signal that loads again what is served
page             the policy of a page that may run only its own script
child            a server as a child process
"""
