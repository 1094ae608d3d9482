"""The demo's publications: invented papers in the markup of real themes, served over real HTTP on 127.0.0.1."""
