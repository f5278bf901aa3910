"""How the demo's documents are drawn: one module per sort of paper. Everybody and everything in them is invented.

May import Pillow, pypdfium2 and the standard library; nothing of the product. Run through `resources.demo.make_documents`.
"""
