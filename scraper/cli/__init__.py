"""Words in, words out: the only room that prints and exits."""
