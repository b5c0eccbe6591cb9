"""Many tasks on many machines that each hold several at once: plans for thousands of tasks, and a proven bound.

Arrays in, arrays out. A `Hall` is the machines and the tasks; `solve` fills it. The bound comes from prices of the
capacity (`bound`), the first plans from placing task by task at those prices (`fill`), the rest from taking a few tasks
out and putting them back better (`refill`).
"""
