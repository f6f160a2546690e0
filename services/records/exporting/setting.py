"""Sets a PDF: JSON on standard input, the PDF on standard output. It opens nothing else."""

import resource
import sys
from pathlib import Path

import typst

TEMPLATE = Path(__file__).with_name("record.typ")
MEMORY = 2 * 1024 * 1024 * 1024
CPU_SECONDS = 120


def main() -> None:
    """PDF/UA-1 where it can be; a text in letters that no font here has is tagged all the same."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    inputs = {"said": sys.stdin.buffer.read().decode()}
    template = TEMPLATE.read_bytes()
    try:
        made = typst.compile(template, sys_inputs=inputs, pdf_standards=["ua-1"])
    except typst.TypstError:
        made = typst.compile(template, sys_inputs=inputs)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
