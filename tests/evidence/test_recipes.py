"""What is counted of the recipes that others use, and of the stable one without one part at a time."""

from support.recorded_runs import record

from ntm_repro.evidence import recipes


def test_a_row_for_each_task_and_recipe_in_their_order(tmp_path):
    root = tmp_path / "paper"
    record(recipes.recipe_root(root, "dnc"), "copy", "ntm", 1, [50.0, 9.0, 9.0])
    record(root, "copy", "ntm", 1, [50.0, 0.05, 0.0])
    record(recipes.recipe_root(root, "stable"), "repeat_copy", "ntm", 1, [0.0])
    record(recipes.recipe_root(root, "pytorch_ntm"), "copy", "ntm_ff", 1, [0.0])  # of another model
    found = [(row["task"], row["recipe"]) for row in recipes.table(root).rows]
    assert found == [("copy", "the paper's"), ("copy", "DNC's"), ("repeat copy", "stable")]
    folders = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*"))
    assert folders == ["paper/copy", "recipes/dnc", "recipes/pytorch_ntm", "stable/repeat_copy"]


def test_what_is_counted_of_the_seeds(tmp_path):
    root = tmp_path / "paper"
    of_recipe = recipes.recipe_root(root, "collier_beel")
    ways = [[50.0, 0.09, 0.05, 0.0], [50.0, 3.0, 0.09, 2.0], [50.0, 40.0, 30.0, 20.0], [0.05, 0.0, 0.0, 0.02]]
    for seed, bits in enumerate(ways, 1):
        folder = record(of_recipe, "copy", "ntm", seed, bits, grid={120: 1.0} if seed < 3 else None)
        if seed == 2:
            text = (folder / "eval.json").read_text()
            (folder / "eval.json").write_text(text.replace('"perfect": 0.75', '"perfect": 0.95'))
    (row,) = recipes.table(root).rows
    seconds = row.pop("seconds until then")
    assert row == {
        "task": "copy",
        "recipe": "Collier & Beel's",
        "seeds": 4,
        "sequences": 4_000,
        "learned": "3 of 4",
        "learned at, median": 2_000,
        "latest": 3_000,
        "relapsed": "1 of 3",
        "end, median": 1.01,
        "worst": 20.0,
        "solved": "1 of 4",
        "farthest": "1 of 2",
    }
    # On the clock of the median seed, whose second row it is.
    assert seconds == find_seconds(of_recipe, seed=1, row=1)


def find_seconds(root, seed, row):
    from ntm_repro.evidence.runs import read

    return read(root / f"copy/ntm/seed{seed}").rows[row]["wall_seconds"]


def test_a_part_is_compared_with_the_whole_on_the_same_seeds(tmp_path):
    root = tmp_path / "paper"
    for seed in (1, 2, 3):
        record(recipes.recipe_root(root, "stable"), "copy", "ntm", seed, [50.0, 0.0])
    record(recipes.recipe_root(root, "stable"), "associative_recall", "ntm", 1, [0.0])  # without anything to compare
    for seed in (1, 3):
        record(recipes.part_root(root, "decay"), "copy", "ntm", seed, [50.0, 9.0])
    whole, part = recipes.ablation(root).rows
    assert (whole["without"], whole["seeds"], whole["learned"]) == ("nothing", 2, "2 of 2")
    assert (part["change"], part["seeds"], part["learned"]) == ("train.schedule=constant", 2, "0 of 2")
    assert part["learned at, median"] is part["seconds until then"] is part["latest"] is None
    assert part["relapsed"] == "0 of 0"


def test_without_a_run_tables_are_empty(tmp_path):
    assert recipes.table(tmp_path / "paper").rows == recipes.ablation(tmp_path / "paper").rows == []
