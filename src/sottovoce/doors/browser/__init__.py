"""The browser door: a page of a browser as a phone, over ICE-lite, DTLS and SRTP (WebRTC).

    browser ──UDP──► process: paths ──RTP over loopback──► media worker
                       checks    is it who the offer named, and where (ICE)
                       secured   DTLS, then SRTP both ways
                       streams   one stream for the browser, whichever leg is heard
                       offers    its session description and our answer

* ``door``     pages as phones of the floor: connected, rung, lifted, gone
* ``process``  one for all browsers, apart from the server; asked in the words of ``control``

A path stands while the page is open; a call attaches a leg to it.
"""
