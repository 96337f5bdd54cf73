"""Self-contained HTML reports.

journey_report.py, run_report.py, rounds_report.py, comparison_report.py   one report each
pages.py      a page from a template, written beside what it reports
plots.py      figures
segments.py   a response cut into coloured segments
metrics.py    the logs of a reinforcement run
reward_plot.py  every part of the reward over the steps of one run or several
dataset_page.py  the data of a store
"""
