"""TikTok's Marketing API v1.3, and the pages where an advertiser consents. Pure.

    door        token, throttle, parameters, right to the account: what every endpoint asks first
    forms       parameters as they are written     oauth, consent   who may do what, and the page
    paging      a page of a list                   accounts         Business Centers, ad accounts
    limits      how many calls an app may make     campaigns        campaigns, ad groups, ads
    desk        what all of them remember          pixels           pixels, their events, event sets
    settings    how it is set up                   tools            diagnosis, zones, the change log
    faults      what goes wrong with reads         report_request   what a report may ask
    tasks       work that ends later               report_rows      metrics: names, rows, texts
                                                   reports, report_tasks, files   at once, and later

Every endpoint is a form and a function from `Asked` to an answer. The numbers are those of the
`AdWorld` that the stand-in was given; nothing here makes any up.
"""
