"""Who is quoted or paraphrased saying what, and as what kind of expert."""
