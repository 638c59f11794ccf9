"""The report on the paper's backbones (train/report_paper.py): measure, count, draw, write."""
