"""The report: one page that says, figure by figure, whether the paper is reproduced, and shows the memory at work.

evidence ─► measures (the numbers of what the paper claims) ──────┐
evidence ─► figures ──────────────────────────────────────────────┼─► page ─► one HTML file
trained models ─► recordings ─► viewer ───────────────────────────┘
"""
