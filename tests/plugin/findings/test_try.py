from tests.support.guilty import *
def test_g(project):
    guilty(project, "harness_select = stable H601", graph=True)
    each_test(project, d=NOTHING)
    for v in ("-q","--collect-only"):
        r=project.run(*([v] if v else []))
        print("="*30,v, r.code); print(r.text)
