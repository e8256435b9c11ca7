"""A script with `# %%` cells as a Jupyter notebook."""

import re

_CELL = re.compile(r"^# %%( \[markdown\])?$", re.MULTILINE)


def notebook(script_text: str) -> bytes:
    """The script's cells as an .ipynb file, with the same code: no outputs, and the same bytes for the same script."""
    import nbformat  # whoever exports no notebook does without

    _, *parts = _CELL.split(script_text)  # what stands before the first cell says how the file is encoded
    cells = []
    for number, (kind, text) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        source, name = text.strip("\n"), {"id": f"cell-{number}"}
        if kind:
            prose = re.sub("^# ?", "", source, flags=re.MULTILINE)
            cells.append(nbformat.v4.new_markdown_cell(prose, **name))
        else:
            cells.append(nbformat.v4.new_code_cell(source, **name))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(made)
    content: str = nbformat.writes(made)
    return content.encode()
