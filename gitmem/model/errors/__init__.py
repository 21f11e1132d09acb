"""Every failure that gitmem expects, with its exit code and the command that helps: a module for each place.

A class exists where a caller would act differently. Facts are attributes; the text is built from them:
*could not do what, to which thing: why*. Anything that is not in this tree is a bug and exits with 3.
"""
