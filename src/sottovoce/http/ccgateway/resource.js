/* Sottovoce: the agent gateway's interfaces for scripts of web pages. One object for each part of the paths,
   one method for each interface: OnlineAgent.login({agentid: "101", $entity: {...}, $callback: function (status,
   request, answer) {...}}). Parameters of path and query go by name, a body is $entity. Without $callback the
   method waits and returns the answer. $apiURL, $contentType and $accepts are for one call.

   REST.apiURL says where the gateway is (set by itself when a script tag loads this file from it).
   The Guid of the last sign-in is in `cookiestring`; pages may keep and set it. */
var cookiestring;
var REST = (function (page) {
    "use strict";

    var JSON_TYPE = "application/json";
    var CALL_MS = 120000;
    var POLL_MS = 60000;

    function log(text) {
        if (REST.loglevel > 0 && page.console) {
            page.console.log(text);
        }
    }

    function escaped(value) {
        return encodeURIComponent(value === undefined || value === null ? "" : String(value));
    }

    function asForm(value) {
        return escaped(value).replace(/%20/g, "+");
    }

    function unchanged(value) {
        return value;
    }

    function pairs(list, separator) {
        return list.map(function (pair) {
            return escaped(pair[0]) + "=" + escaped(pair[1]);
        }).join(separator);
    }

    function isJSON(type) {
        return /^\s*application\/([^;]*\+)?json\s*(;|$)/i.test(type || "");
    }

    function Request() {
        this.uri = null;
        this.method = "GET";
        this.username = null;
        this.password = null;
        this.acceptHeader = "*/*";
        this.contentTypeHeader = null;
        this.async = true;
        this.queryParameters = [];
        this.matrixParameters = [];
        this.formParameters = [];
        this.cookies = [];
        this.headers = [];
        this.entity = null;
        this.isForSpecial = false;
        this.timeoutHandle = null;
    }

    Request.prototype = {
        setAccepts: function (type) { this.acceptHeader = type; },
        setContentType: function (type) { this.contentTypeHeader = type; },
        setCredentials: function (username, password) {
            this.username = username;
            this.password = password;
        },
        setEntity: function (entity) { this.entity = entity; },
        setURI: function (uri) { this.uri = uri; },
        setMethod: function (method) { this.method = method; },
        setAsync: function (async) { this.async = async; },
        setSpecial: function (special) { this.isForSpecial = special; },
        setTimeoutHandle: function (handle) { this.timeoutHandle = handle; },
        addCookie: function (name, value) { this.cookies.push([name, value]); },
        addQueryParameter: function (name, value) { this.queryParameters.push([name, value]); },
        addMatrixParameter: function (name, value) { this.matrixParameters.push([name, value]); },
        addFormParameter: function (name, value) { this.formParameters.push([name, value]); },
        addHeader: function (name, value) { this.headers.push([name, value]); },

        /* Send it; `callback(status, request, answer)` is called once. Status 0: nothing came back. */
        execute: function (callback) {
            var request = new page.XMLHttpRequest(), body = this.entity, type = this.contentTypeHeader;
            var url = this.uri, given = {}, done = false;
            if (this.matrixParameters.length) {
                url += ";" + pairs(this.matrixParameters, ";");
            }
            if (this.queryParameters.length) {
                url += (url.indexOf("?") < 0 ? "?" : "&") + pairs(this.queryParameters, "&");
            }
            this.cookies.forEach(function (pair) {
                page.document.cookie = pairs([pair], "");
            });
            request.open(this.method, url, this.async, this.username, this.password);
            if (this.async) {
                request.timeout = this.isForSpecial ? POLL_MS : CALL_MS;
                request.ontimeout = this.timeoutHandle;
            }
            if (page.cookiestring) {
                request.setRequestHeader("Guid", page.cookiestring);
            }
            this.headers.forEach(function (pair) {
                given[pair[0].toLowerCase()] = true;
                request.setRequestHeader(pair[0], pair[1]);
            });
            if (!given.accept) {
                request.setRequestHeader("Accept", this.acceptHeader);
            }
            if (this.formParameters.length) {
                type = "application/x-www-form-urlencoded";
                body = this.formParameters.map(function (pair) {
                    return asForm(pair[0]) + "=" + asForm(pair[1]);
                }).join("&");
            } else if (body && typeof body === "object" && (!type || isJSON(type))) {
                type = type || JSON_TYPE;
                body = JSON.stringify(body);
            }
            if (body && type && !given["content-type"]) {
                request.setRequestHeader("Content-Type", type);
            }
            function complete() {
                if (request.readyState === 4 && !done) {
                    done = true;
                    finish(request, callback);
                }
            }
            if (this.async) {
                request.onreadystatechange = complete;
                request.send(body);
            } else {
                try {
                    request.send(body);
                } catch (failure) {
                    log(failure);
                }
                finish(request, callback);
            }
        }
    };

    function finish(request, callback) {
        var answer, type, guid;
        if (request.status >= 200 && request.status < 300) {
            type = request.getResponseHeader("Content-Type");
            answer = isJSON(type) ? JSON.parse(request.responseText) : request.responseText;
            guid = request.getResponseHeader("Set-GUID");
            if (guid) {
                page.cookiestring = guid.split("=")[1];
            }
        }
        log(request.status + " " + request.responseURL);
        if (callback) {
            callback(request.status, request, answer);
        }
    }

    /* Of an interface's paths the one with the most variables that are all given. */
    function chosen(routes, given) {
        return routes.filter(function (route) {
            return variables(route.path).every(function (name) { return has(given, name); });
        })[0] || routes[routes.length - 1];
    }

    function variables(path) {
        return (path.match(/\{\w+\}/g) || []).map(function (part) { return part.slice(1, -1); });
    }

    function has(given, name) {
        return Object.prototype.hasOwnProperty.call(given, name);
    }

    function method(routes) {
        return function (params) {
            var given = params || {}, route = chosen(routes, given), request = new Request(), answer;
            var base = String(given.$apiURL || REST.apiURL || "").replace(/\/+$/, "");
            request.setMethod(route.verb);
            request.setURI(base + route.path.replace(/\{(\w+)\}/g, function (part, name) {
                return escaped(given[name]);
            }));
            route.query.forEach(function (name) {
                if (has(given, name)) {
                    request.addQueryParameter(name, given[name]);
                }
            });
            if (REST.antiBrowserCache) {
                request.addQueryParameter("resteasy_jsapi_anti_cache", new Date().getTime());
            }
            if (given.$entity) {
                request.setEntity(given.$entity);
            }
            if (given.$username && given.$password) {
                request.setCredentials(given.$username, given.$password);
            }
            request.setAccepts(given.$accepts || JSON_TYPE);
            request.setContentType(given.$contentType || JSON_TYPE);
            if (given.$callback) {
                request.execute(given.$callback);
                return undefined;
            }
            request.setAsync(false);
            request.execute(function (status, done, value) { answer = value; });
            return answer;
        };
    }

    function define(parts) {
        Object.keys(parts).forEach(function (part) {
            var made = page[part] = page[part] || {};
            Object.keys(parts[part]).forEach(function (name) {
                made[name] = method(parts[part][name].map(function (route) {
                    return {verb: route[0], path: route[1], query: route[2]};
                }));
            });
        });
    }

    return {
        apiURL: null,
        loglevel: 0,
        antiBrowserCache: false,
        Request: Request,
        Encoding: {
            encodePathSegment: escaped,
            encodePathParamName: escaped,
            encodePathParamValue: escaped,
            encodeQueryParamNameOrValue: escaped,
            encodeFormNameOrValue: asForm,
            encodeHeaderName: unchanged,
            encodeHeaderValue: unchanged
        },
        log: log,
        _define: define
    };
}(window));
(function (tag) {
    "use strict";
    var from = tag && /^(.*\/resource)-js([?#].*)?$/.exec(tag.src);
    if (from) {
        REST.apiURL = from[1];
    }
}(document.currentScript));
