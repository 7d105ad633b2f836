"""The checks of the quality family (CC-SQM, CC-iSQM), after the pages of the API Reference.

* ``catalogue``   the documented interfaces that are checked, with requests like those that pages print
* ``interfaces``  what the ledgers say of one: page, mandatory fields, success code, form of its answer
* ``token``       tokenByAkSk
* ``requests``    what holds for every interface: token, headers, mandatory fields, types
* ``calls``       inspected calls · ``tasks`` review tasks, each state · ``plans`` plans
* ``made``        tasks of this walk, and how tasks are read · ``task_lists`` the lists and their filters
* ``samples``     which calls the conditions of a sample draw
* ``results``     results and scores of a call, as ``credit`` tells them
* ``items``       problems and appeals · ``disputes`` one appeal, from all sides
* ``corrections`` results that an inspector corrects in a task · ``scoring`` score profiles and scenarios

Each module's ``walk(bench)`` makes its checks in order; ``compat.run`` calls them. Whatever is made has a
name of its own, and is deleted or terminated at the end. Not checked: the rules' configuration (2.6, but for
score profiles and scenarios), of whose paths many are not known, and the speech interfaces of CC-iSQM.
"""
