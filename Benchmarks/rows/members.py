"""Adding up members of a structure of the traced program: one, two and four, 24 bytes from the first to the last."""

SUMS = [("one member", ["a"]), ("two members", ["a", "b"]), ("four members", ["a", "b", "c", "d"])]
STRUCTURE = "struct fields { long a; int b; short c; long d; }"


def measure(bench):
    for what, members in SUMS:
        ours = " + ".join(f"$fields->{member}" for member in members)
        theirs = " + ".join(f"((struct fields *)arg0)->{member}" for member in members)
        bench.add(f"sum of {what} of a structure", "ns", bench.hit_costs("hit_fields", {
            "utrace": bench.with_utrace(
                f'global s probe process("{{path}}").function("hit_fields").call {{ s <<< {ours} }}'
                " probe end { println(@sum(s)) }"),
            "empty": bench.with_empty(),
            "bpftrace": bench.with_bpftrace(f"{STRUCTURE} uprobe:{{path}}:hit_fields {{ @ = sum({theirs}) }}"),
        }), [(1.0, "bpftrace")])
