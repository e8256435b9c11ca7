"""What people take along: a run or a comparison as a file that is of use without this program."""
