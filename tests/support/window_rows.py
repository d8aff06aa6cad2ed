"""Rows of metrics.csv made from a few numbers."""


def rows_of(*counts_and_bits):
    """Rows as far as convergence looks at them: of windows (how many sequences, their mean bits)."""
    rows, sequences = [], 0
    for count, bits in counts_and_bits:
        sequences += count
        rows.append({"sequences": sequences, "bits_per_sequence": bits})
    return rows
