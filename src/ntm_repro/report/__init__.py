"""The report: one page that says, figure by figure, whether the paper is reproduced, and shows the memory at work.

evidence ─► claims (what the paper says, in numbers) ─► verdicts ─┐
evidence ─► figures ──────────────────────────────────────────────┼─► page ─► one HTML file
trained models ─► recordings ─► viewer ───────────────────────────┘
"""
